"""Maps of the Open-RMF traffic editor: building files in, lane graphs out."""
