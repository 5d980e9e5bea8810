"""The view "Your hand": a visitor's own drawings, and teaching a network with them."""
