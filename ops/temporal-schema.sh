#!/bin/sh
# Brings Temporal's own tables to the version of the server beside it. Needs SQL_PASSWORD; safe to run again.
set -eu

bring_up() { # database, folder of its versions
    run="temporal-sql-tool --plugin postgres12 --ep postgres --port 5432 --user temporal --db $1"
    $run setup-schema --version 0.0
    $run update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

bring_up temporal temporal
bring_up temporal_visibility visibility
