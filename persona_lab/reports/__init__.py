"""Reports for people: one self-contained HTML file each, charts as inline SVG, no network."""
