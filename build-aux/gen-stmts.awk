# SPDX-License-Identifier: Apache-2.0
# build-aux/gen-stmts.awk - SQL files to C tables, with any POSIX awk.
#
#   awk -v mode=header|table|migrations -f gen-stmts.awk FILE...
#
# header, table   sql/stmt/*.sql: one statement a file, behind comment lines
#                   -- name: bucket_find            the file's own name
#                   -- database: global|regional|both    where it runs
#                   -- params: $1 name text, $2 id uuid     (or: none)
#                   -- rows: one|many|none
#                   -- and a line of why
#                 become enum stmt (STMT_BUCKET_FIND ...) and the table stmt_defs.
# migrations      sql/global/NNNN-*.sql and sql/regional/NNNN-*.sql become the
#                 table migration_defs, as they are, byte by byte.
# A fault is told as FILE: reason, and ends with status 1.

function fail(file, why) {
	printf "%s: %s\n", file, why > "/dev/stderr"
	failed = 1
	exit 1
}
function base_of(path) {
	sub(/^.*\//, "", path)
	return path
}
function c_line(s) {
	gsub(/["?\\]/, "\\\\&", s) # ? because of trigraphs
	gsub(/\t/, "\\t", s)
	return "\t  \"" s "\\n\"\n"
}
function trim(s) {
	sub(/^[ \t\r]+/, "", s)
	sub(/[ \t\r]+$/, "", s)
	return s
}
BEGIN {
	# Types a parameter may have, with PostgreSQL's fixed oids.
	oid["bool"] = oid["boolean"] = 16
	oid["bytea"] = 17
	oid["bigint"] = oid["int8"] = 20
	oid["integer"] = oid["int"] = oid["int4"] = 23
	oid["smallint"] = oid["int2"] = 21
	oid["text"] = 25
	oid["timestamptz"] = 1184
	oid["uuid"] = 2950
	oid["jsonb"] = 3802
	oid["text[]"] = 1009
	oid["bytea[]"] = 1001
	oid["bigint[]"] = 1016
	oid["integer[]"] = 1007
	oid["uuid[]"] = 2951
	n = 0
}
FNR == 1 {
	n++
	file[n] = FILENAME
	body[n] = name[n] = database[n] = params[n] = rows[n] = ""
}
mode != "migrations" && /^--[ \t]*name:/ {
	name[n] = $0; sub(/^--[ \t]*name:/, "", name[n]); name[n] = trim(name[n]); next
}
mode != "migrations" && /^--[ \t]*database:/ {
	database[n] = $0; sub(/^--[ \t]*database:/, "", database[n]); database[n] = trim(database[n]); next
}
mode != "migrations" && /^--[ \t]*params:/ {
	params[n] = $0; sub(/^--[ \t]*params:/, "", params[n]); params[n] = trim(params[n]); next
}
mode != "migrations" && /^--[ \t]*rows:/ {
	rows[n] = $0; sub(/^--[ \t]*rows:/, "", rows[n]); rows[n] = trim(rows[n]); next
}
mode != "migrations" && /^--/ { why[n] = 1; next }
mode != "migrations" && /^[ \t]*$/ { next }
{ body[n] = body[n] c_line($0) }

function check_stmt(i,    want) {
	want = base_of(file[i])
	sub(/\.sql$/, "", want)
	if (name[i] != want)
		fail(file[i], "name is \"" name[i] "\", the file's is \"" want "\"")
	if (name[i] !~ /^[a-z][a-z0-9_]*$/)
		fail(file[i], "a name is lower case letters, digits and _")
	if (database[i] != "global" && database[i] != "regional" && database[i] != "both")
		fail(file[i], "database is \"" database[i] "\", not global, regional or both")
	if (rows[i] != "one" && rows[i] != "many" && rows[i] != "none")
		fail(file[i], "rows is \"" rows[i] "\", not one, many or none")
	if (params[i] == "")
		fail(file[i], "params is missing (\"none\" when there are none)")
	if (!(i in why))
		fail(file[i], "a comment line that tells why is missing")
	if (body[i] == "")
		fail(file[i], "there is no statement")
}
# Prints the array of types, returns how many.
function print_types(i,    k, part, w, m) {
	if (params[i] == "none")
		return 0
	m = split(params[i], part, ",")
	printf "static const uint32_t types_%s[] = { ", name[i]
	for (k = 1; k <= m; k++) {
		if (split(trim(part[k]), w, /[ \t]+/) != 3 || w[1] != "$" k)
			fail(file[i], "params: wanted \"$" k " NAME TYPE\", got \"" trim(part[k]) "\"")
		if (!(w[3] in oid))
			fail(file[i], "params: type \"" w[3] "\" is not known to build-aux/gen-stmts.awk")
		printf "%s%d", (k > 1 ? ", " : ""), oid[w[3]]
	}
	print " };"
	return m
}
END {
	if (failed)
		exit 1
	print "/* Made by build-aux/gen-stmts.awk from sql/; do not edit. */"
	if (mode == "header") {
		print "#ifndef ANVIL_META_STMT_GEN_H\n#define ANVIL_META_STMT_GEN_H\n"
		print "#include \"base/base.h\"\n"
		print "enum stmt {"
		for (i = 1; i <= n; i++) {
			check_stmt(i)
			printf "\tSTMT_%s,\n", toupper(name[i])
		}
		print "\tSTMT_COUNT\n};"
		print "struct stmt_def {"
		print "\tconst char *name;"
		print "\tchar database;          /* 'g' global, 'r' regional, 'b' both */"
		print "\tchar rows;              /* '1' one, 'm' many, '0' none */"
		print "\tuint8_t n_params;"
		print "\tconst uint32_t *types;  /* oids of the parameters */"
		print "\tconst char *sql;"
		print "};"
		print "extern const struct stmt_def stmt_defs[STMT_COUNT];\n"
		print "#endif"
	} else if (mode == "table") {
		print "#include \"meta/stmt_gen.h\"\n"
		for (i = 1; i <= n; i++) {
			check_stmt(i)
			n_params[i] = print_types(i)
		}
		print "\nconst struct stmt_def stmt_defs[STMT_COUNT] = {"
		for (i = 1; i <= n; i++) {
			printf "\t[STMT_%s] = { \"%s\", '%s', '%s', %d, %s,\n%s\t},\n", toupper(name[i]), name[i],
			    substr(database[i], 1, 1), (rows[i] == "one" ? "1" : rows[i] == "many" ? "m" : "0"),
			    n_params[i], (n_params[i] ? "types_" name[i] : "NULL"), body[i]
		}
		print "};"
	} else if (mode == "migrations") {
		print "#include \"meta/migrate_defs.h\"\n"
		print "const struct migration_def migration_defs[] = {"
		for (i = 1; i <= n; i++) {
			b = base_of(file[i])
			if (b !~ /^[0-9][0-9][0-9][0-9]-[a-z0-9-]+\.sql$/)
				fail(file[i], "a migration is named NNNN-what.sql")
			printf "\t{ '%s', %d, \"%s\",\n%s\t},\n", (file[i] ~ /regional\/[^\/]*$/ ? "r" : "g"),
			    substr(b, 1, 4) + 0, b, body[i]
		}
		print "\t{ 0, 0, NULL, NULL }\n};"
	} else
		fail("gen-stmts.awk", "mode is header, table or migrations")
}
