"""How an agent starts: cold, or as a child of a zygote; and what it gives up."""
