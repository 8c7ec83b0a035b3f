"""Who somebody is: accounts and sign-ins of staff, invitations and seats of everyone else."""
