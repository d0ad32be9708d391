// test/trace-routes.test.ts: which route a request took, as frameworks tell it, or the program with trace.route().
import { expect, test } from 'vitest'
import { relay } from './support/relays.js'
import { program, result } from './support/run.js'
import { madeSpans } from './support/span-events.js'

const failed = (error: string, type = error) => ({ error, 'error.type': type })
const caught = failed('the disk is full', 'ENOSPC')

/** By framework and path: the route and the status, and what is said of a failure. */
const expected: Record<string, [string | undefined, number, object?]> = {
  'express /users/7': ['/users/:id', 200],
  'express /nested/posts/9': ['/nested/posts/:post', 200],
  'express /nested': ['/nested', 200],
  'express /people/3/posts/9': ['/people/:person/posts/:post', 200],
  'express /people/3/posts/9/comments/4': ['/people/:person/posts/:post/comments/:comment', 200],
  'express /boom': ['/boom', 500, caught],
  'express /refused': ['/refused', 403],
  'express /nowhere': [undefined, 404],
  'express4 /users/7': ['/users/:id', 200],
  'express4 /nested/posts/9': ['/nested/posts/:post', 200],
  'express4 /nested': ['/nested', 200],
  'express4 /people/3/posts/9': ['/people/3/posts/:post', 200], // no channel tells where the router is mounted
  'express4 /boom': ['/boom', 500, failed('500')],
  'express4 /nowhere': [undefined, 404],
  'fastify /users/7': ['/users/:id', 200],
  'fastify /nested/posts/9': ['/nested/posts/:post', 200],
  'fastify /boom': ['/boom', 500, caught],
  'fastify /refused': ['/refused', 403],
  'fastify /nowhere': [undefined, 404],
  'koa /users/7': ['/users/:id', 200],
  'koa /nested/posts/9': ['/nested/posts/:post', 200],
  'koa /boom': ['/boom', 500, caught],
  'koa /nowhere': [undefined, 404],
  'hapi /users/7': ['/users/{id}', 200],
  'hapi /boom': ['/boom', 500, caught],
}

test('a span is called after its route, by Express, Fastify, Koa and Hapi', async () => {
  const to = await relay()
  await result(program('frameworks.mjs'), {
    env: { ...to.env, BLKIN_TRACE: 'http' },
    flags: ['--import', 'blkin/register'],
  })
  const spans = await madeSpans(to.output)
  for (const [request, [route, status, failure]] of Object.entries(expected)) {
    const root = spans.find(({ name }) => name === request)!
    const served = spans.filter(({ kind, parent }) => kind === 'server' && parent === root.span)
    const { 'url.path': path, 'http.request.method': method, ...said } = served[0]!.tags
    expect({ request, names: served.map(({ name }) => name), path, method, said }).toEqual({
      request,
      names: [route === undefined ? 'GET' : `GET ${route}`],
      path: request.split(' ')[1],
      method: 'GET',
      said: {
        ...(route === undefined ? {} : { 'http.route': route }),
        'http.response.status_code': status,
        ...failure,
      },
    })
  }
})

test('trace.route() does nothing for what is no request with a span', async () => {
  const text = `
    import { status, trace } from 'blkin'
    for (const request of [{}, { stream: {} }, null, undefined, 'x']) trace.route(request, '/x')
    trace.route({}, 7)
    console.log(status().spans.refused)`
  expect(await result(text)).toBe(4)
})
