//! Signatures, verified as a service does (RFC 9421, section 3.2).

use std::time::Duration;

use sfv::{BareItem, Dictionary, InnerList, Item, ListEntry, Parser};

use super::{
    CONTENT_DIGEST, Component, ContentDigest, MessageSigner, SIGNATURE, SIGNATURE_INPUT, signature_base,
};
use crate::auth::Message;
use crate::{Error, Kind};

/// How far a signature's time may be from the verifier's clock.
const TOLERANCE: Duration = Duration::from_secs(300);

impl MessageSigner {
    /// Whether `message`, as it was received at `now` (since 1970), carries a signature by this key over all that this signer signs, made within the
    /// last 5 minutes: its nonce, where there is one, which a server must not see twice. Of several signatures, one that holds is enough.
    ///
    /// # Errors
    /// [`Kind::Auth`] with the reason why the last one does not.
    pub fn verify(&self, message: &Message<'_>, now: Duration) -> Result<Option<String>, Error> {
        let dictionary = |name| {
            let field = message.header(name).ok_or_else(|| refused("is missing"))?;
            Parser::new(&field).parse::<Dictionary>().map_err(|_| refused("is unreadable"))
        };
        let (inputs, signatures) = (dictionary(&SIGNATURE_INPUT)?, dictionary(&SIGNATURE)?);
        let mut verdict = Err(refused("is missing"));
        for (label, input) in &inputs {
            verdict = match (input, signatures.get(label)) {
                (
                    ListEntry::InnerList(input),
                    Some(ListEntry::Item(Item { bare_item: BareItem::ByteSequence(signature), .. })),
                ) => self.holds(message, input, signature, now),
                _ => Err(refused("is unreadable")),
            };
            if verdict.is_ok() {
                break;
            }
        }
        verdict
    }

    fn holds(
        &self,
        message: &Message<'_>,
        input: &InnerList,
        signature: &[u8],
        now: Duration,
    ) -> Result<Option<String>, Error> {
        let text = |name: &str| input.params.get(name)?.as_string().map(|text| text.as_str());
        for (name, expected) in [("keyid", &self.key_id), ("tag", &self.tag)] {
            if expected.is_some() && text(name) != expected.as_deref() {
                return Err(refused(format!("has the {name} {:?}, and not {expected:?}", text(name))));
            }
        }
        if text("alg").is_some_and(|name| name != self.algorithm.name()) {
            return Err(refused(format!("is by {:?}, and not by {}", text("alg"), self.algorithm)));
        }
        is_of_now(input, now)?;
        for component in self.components_of(message) {
            if !input.items.contains(&component.item()) {
                return Err(refused(format!("leaves out {component}")));
            }
        }
        let base =
            signature_base(message, input).map_err(|error| refused(format!("cannot be checked: {error}")))?;
        if !self.key.verifying_key().verify(self.algorithm.signature(), base.as_bytes(), signature) {
            return Err(refused("is wrong").advise(format!("the signature base is {base:?}")));
        }
        digest_is_right(message, input)?;
        Ok(text("nonce").map(str::to_owned))
    }
}

fn is_of_now(input: &InnerList, now: Duration) -> Result<(), Error> {
    let time = |name: &str| {
        let secs = i64::from(input.params.get(name)?.as_integer()?);
        u64::try_from(secs).ok().map(Duration::from_secs)
    };
    let created = time("created").ok_or_else(|| refused("has no readable created"))?;
    if now.abs_diff(created) > TOLERANCE {
        return Err(refused("is from another time")
            .advise(format!("the clocks differ by {} s", now.abs_diff(created).as_secs())));
    }
    if input.params.contains_key("expires") && time("expires").is_none_or(|expires| expires <= now) {
        return Err(refused("has expired"));
    }
    Ok(())
}

/// A signed digest that is not held against the body protects nothing.
fn digest_is_right(message: &Message<'_>, input: &InnerList) -> Result<(), Error> {
    let is_signed =
        input.items.iter().any(|item| Component::of(item).is_ok_and(|it| it.name() == "content-digest"));
    let digest = message.header(&CONTENT_DIGEST).unwrap_or_default();
    if is_signed && !ContentDigest::is_of(&digest, message.body.unwrap_or_default()) {
        return Err(refused("is for another body"));
    }
    Ok(())
}

fn refused(what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Auth, format!("the message signature {what}"))
}
