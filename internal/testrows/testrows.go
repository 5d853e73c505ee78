// Package testrows puts the rows of a PostgreSQL database back, for tests. To empty the tables and
// fill them anew by whoever owns them would take most of a small test; to truncate them would make
// a file for each table and index.
package testrows

// Keep copies the rows of all tables of the schema public, for PutBack. No trigger runs when they
// are put back, so the order of the tables does not matter.
const Keep = `
create schema kept;
do $do$ declare name text; puts text := ''; begin
	for name in select tablename from pg_tables where schemaname = 'public' loop
		execute format('create table kept.%1$I as select * from public.%1$I', name);
		puts := puts || format('delete from public.%1$I; insert into public.%1$I overriding system value select * from kept.%1$I; ', name);
	end loop;
	create table kept.numbers as select quote_ident(schemaname) || '.' || quote_ident(sequencename) as name, last_value from pg_sequences;
	execute format('create function kept.again() returns void language plpgsql set session_replication_role = replica as %L',
		'begin ' || puts || 'perform setval(n.name, coalesce(n.last_value, 1), n.last_value is not null) from kept.numbers n; end');
end $do$`

// PutBack makes the rows of all tables, and the numbers of their sequences, what they were at Keep.
const PutBack = "select kept.again()"
