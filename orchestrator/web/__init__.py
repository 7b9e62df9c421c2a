"""Pages for people in browsers, made on the server; a script keeps them live where there is one."""
