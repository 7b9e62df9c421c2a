"""Pictures of a site as SVG: one level for the live page, all of them for a sheet."""
