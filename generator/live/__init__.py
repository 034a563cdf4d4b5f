"""Events as they happen: visitors who come now, over HTTP or the broker, with an account of what arrived."""
