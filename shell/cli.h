/* shell/cli.h - the program's argv: what it asks for, and doing it.   Uses: shell.h, repl.h.   Used by: main.c */
#pragma once

/* Returns the exit status. */
int cli_main(int argc, char **argv);
