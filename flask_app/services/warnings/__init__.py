"""What people are told by mail and webhook before it hurts."""
