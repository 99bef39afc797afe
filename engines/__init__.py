"""Reference forecasters: an Elo baseline and a Monte Carlo of scores; pure, no I/O."""
