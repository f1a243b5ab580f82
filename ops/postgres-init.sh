#!/bin/sh
# Runs once, when the volume is empty: a role and databases for each of the two that use this server. Neither
# role can read the other's data. The passwords come from the environment and are quoted by psql itself.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres \
    --set olive="$OLIVE_DB_PASSWORD" --set temporal="$TEMPORAL_DB_PASSWORD" <<'SQL'
CREATE ROLE olive LOGIN PASSWORD :'olive';
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE DATABASE olive OWNER olive;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE olive, temporal, temporal_visibility FROM PUBLIC;
SQL
