"""A page to try networks on pictures in the browser; needs the extra ``demo``."""
