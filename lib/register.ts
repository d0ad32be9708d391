// lib/register.ts: `node --import blkin/register app.js`. Loads the addon and applies BLKIN_* before the program's own
// code runs, so that a bad variable is told at once and not at the first declaration, and every request is seen.
import { tracer } from './tracer.js'

tracer.begin()
