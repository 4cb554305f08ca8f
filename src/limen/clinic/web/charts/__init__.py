"""Geometry of the pictures on our pages: pure functions from data to what an SVG template prints.

A chart is as wide as its column. Curves live in a stretchable box ``WIDTH`` units wide, words and dots stand at
percentages of the same width, heights are in pixels. So a chart is read at 13 px on a phone and on a wall.
"""
