// relay/src/sql/error.ts: what a query is refused with. query.ts throws it, `blkin sql` tells it from a failure.

/** A query that cannot be, or may not; the message is DuckDB's, where it has one. */
export class QueryError extends Error {
  override name = 'QueryError'
}
