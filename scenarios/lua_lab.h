/* scenarios/lua_lab.h - what `lab` has beside the operations: expectations, headings, printing.   Used by: lua_run.c
 *
 *     lab.expect_reachable{ source = "web", destination = "db", port = 5432 }   analysis, and a packet while live
 *     lab.expect_blocked{ ... }
 *     lab.expect_error("DependencyViolation", ec2.delete_vpc, { vpc_id = id })
 *     lab.title("Build")   lab.show(answer [, "table"])   lab.yes(answer)   lab.seed(7)   lab.live() */
#pragma once
#include <lua.h>

void lua_lab_open(lua_State *L);
