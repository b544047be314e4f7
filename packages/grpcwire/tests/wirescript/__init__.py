"""Wire scripts: frames in, bytes out, built apart from the code under test."""
