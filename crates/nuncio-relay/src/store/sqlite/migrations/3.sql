-- Lists by origin and by endpoint, and dead letters of all endpoints, without looking at anything else.
CREATE INDEX event_origin ON event (origin, seq, at);
CREATE INDEX delivery_endpoint ON delivery (endpoint);
CREATE INDEX delivery_given_up ON delivery (state) WHERE state = 3;
