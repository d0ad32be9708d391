// relay/src/sql/names.ts: names of tables as they stand in a query. Pure.

import type { Table } from './tables.js'

/** As it stands in a query: in quotes where it must. */
export const sqlName = ({ schema, name }: Table): string =>
  [...(schema === undefined ? [] : [schema]), name].map(quoteName).join('.')

export const quoteName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/i.test(name) && !WORDS.has(name.toLowerCase()) ? name : `"${name}"`

/** Words of SQL that programs' events have for names too. */
const WORDS = new Set(
  [
    'all',
    'analyze',
    'and',
    'any',
    'array',
    'as',
    'asc',
    'case',
    'cast',
    'check',
    'collate',
    'column',
    'constraint',
  ].concat(
    [
      'create',
      'default',
      'desc',
      'describe',
      'distinct',
      'do',
      'else',
      'end',
      'except',
      'false',
      'fetch',
      'for',
      'foreign',
    ],
    [
      'from',
      'grant',
      'group',
      'having',
      'in',
      'initially',
      'intersect',
      'into',
      'join',
      'lambda',
      'lateral',
      'left',
      'limit',
    ],
    [
      'like',
      'not',
      'null',
      'offset',
      'on',
      'only',
      'or',
      'order',
      'pivot',
      'placing',
      'primary',
      'qualify',
      'references',
    ],
    [
      'returning',
      'right',
      'select',
      'show',
      'some',
      'summarize',
      'symmetric',
      'table',
      'then',
      'to',
      'trailing',
      'true',
    ],
    ['union', 'unique', 'unpivot', 'using', 'variadic', 'when', 'where', 'window', 'with'],
  ),
)
