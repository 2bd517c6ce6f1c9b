"""What Dwell promises to those who talk to it, tested from outside over HTTP and its commands."""
