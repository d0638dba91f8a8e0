"""The server: settings, who is let in, and the assembly of everything else."""
