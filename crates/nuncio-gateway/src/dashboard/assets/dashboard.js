// Times that say how long ago, and what is new in a live part. All else works without.
"use strict";

(() => {
  const units = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];

  function ago(date, now) {
    const seconds = Math.round((now - date) / 1000);
    const [size, unit] = units.find(([size]) => Math.abs(seconds) >= size) || [1, "s"];
    const count = Math.floor(Math.abs(seconds) / size) + " " + unit;
    return seconds < 0 ? "in " + count : Math.abs(seconds) < 1 ? "now" : count + " ago";
  }

  function tell(root) {
    const now = Date.now();
    for (const time of root.querySelectorAll("time")) {
      const date = new Date(time.dateTime);
      const text = Number.isNaN(date.getTime()) ? time.dateTime : ago(date, now);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  let before = null;

  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    const part = event.target;
    before = new Set([...part.querySelectorAll(".rows a[id]")].map((row) => row.id));
  });

  document.addEventListener("htmx:sseMessage", (event) => {
    const part = event.target;
    tell(part);
    for (const row of part.querySelectorAll(".rows a[id]")) {
      if (before && !before.has(row.id)) row.classList.add("new");
    }
    before = null;
  });

  function mark(word) {
    const live = document.getElementById("live-mark");
    if (live) {
      live.textContent = word;
      live.classList.toggle("lost", word !== "live");
    }
  }

  document.addEventListener("htmx:sseOpen", () => mark("live"));
  document.addEventListener("htmx:sseError", () => mark("reconnecting"));

  // The way to the search, as on many pages of this kind.
  document.addEventListener("keydown", (event) => {
    const search = document.getElementById("q");
    const isTyping = event.target.closest && event.target.closest("input, select, textarea");
    if (event.key === "/" && search && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });

  tell(document);
  setInterval(() => tell(document), 1000);
})();
