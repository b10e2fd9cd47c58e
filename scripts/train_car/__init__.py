"""How the shipped model `car` is made: its photos and scenes, its head, its folder and its card."""
