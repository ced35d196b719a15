"""Residence permits, transfer of registration and what becomes of the three rights."""
