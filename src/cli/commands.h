// The commands of the one binary. Each takes its own arguments, argv[0] being the name it was
// called by, and returns the exit code: 0 done, 1 failed, 2 wrong usage. The two that stand for
// programs of PostgreSQL, initdb and pg_ctl, have those programs' options, texts and exit codes
// instead.
//
// main.cc chooses: by the first argument of `cofork`, or by the name of the link it was called by.
#pragma once

namespace cofork {

int init_command(int argc, char** argv);      ///< cofork init, initdb
int serve_command(int argc, char** argv);     ///< cofork serve, postgres, postmaster
int ctl_command(int argc, char** argv);       ///< cofork ctl, pg_ctl
int ps_command(int argc, char** argv);        ///< cofork ps
int shmem_command(int argc, char** argv);     ///< cofork shmem
int settings_command(int argc, char** argv);  ///< cofork settings
int page_command(int argc, char** argv);      ///< cofork page
int tutorial_command(int argc, char** argv);  ///< cofork tutorial

}  // namespace cofork
