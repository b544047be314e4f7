"""Code that writes code: the source of a class's codecs and methods, and its installation."""
