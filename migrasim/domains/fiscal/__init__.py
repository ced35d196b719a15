"""Who pays what: public accounts of the counties."""
