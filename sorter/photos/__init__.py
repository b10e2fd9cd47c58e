"""From files to pixels: find, decode, turn upright, convert colours, resize, hash."""
