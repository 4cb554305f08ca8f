"""The demonstration clinic: invented people whose past was lived through the clinic's own actions."""
