"""Residence permits and the transfer of registration."""
