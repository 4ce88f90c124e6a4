"""A page to try networks on images in the browser; needs the extra ``demo``."""
