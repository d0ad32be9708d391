// test/programs/frameworks.mjs: the same few routes on each framework, and who asks for them; for trace-routes.test.ts. The
// first part of each path is the framework's name.
import { once } from 'node:events'
import http from 'node:http'
import Hapi from '@hapi/hapi'
import Router from '@koa/router'
import { flush, trace } from 'blkin'
import express from 'express'
import express4 from 'express4'
import fastify from 'fastify'
import Koa from 'koa'

const boom = () => {
  throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
}
const refusal = () => {
  throw Object.assign(new Error('not yours'), { status: 403, statusCode: 403 })
}

function expressServer(express) {
  const inner = express.Router()
  inner.get('/posts/:post', (request, response) => response.send(request.params))
  inner.get('/', (_, response) => response.send('all'))
  const comments = express.Router()
  comments.get('/:comment', (request, response) => response.send(request.params))
  inner.use('/posts/:post/comments', comments)
  const app = express().set('env', 'test') // or it prints what handlers throw
  app.use((_request, _response, next) => next())
  app.get('/users/:id', (request, response) => response.send(request.params))
  app.use('/nested', inner)
  app.use('/people', (_request, _response, next) => next())
  app.use('/people/:person', inner)
  app.get('/boom', boom)
  app.get('/refused', refusal)
  return http.createServer(app)
}

function fastifyServer() {
  const app = fastify()
  app.get('/users/:id', async (request) => request.params)
  app.register(async (inner) => inner.get('/posts/:post', async (request) => request.params), {
    prefix: '/nested',
  })
  app.get('/boom', async () => boom())
  app.get('/refused', async () => refusal())
  return app.ready().then(() => app.server)
}

function koaServer() {
  const app = new Koa()
  app.silent = true
  const router = new Router()
  router.get('/users/:id', (context) => {
    context.body = context.params
  })
  router.get('/boom', boom)
  const nested = new Router({ prefix: '/nested' })
  nested.get('/posts/:post', (context) => {
    context.body = context.params
  })
  app.use(async (context, next) => {
    try {
      await next()
    } catch (error) {
      trace.current().tag('error', error.message)
      trace.current().tag('error.type', error.code)
      throw error
    } finally {
      if (context._matchedRoute) trace.route(context.req, String(context._matchedRoute))
    }
  })
  app.use(router.routes()).use(nested.routes())
  return http.createServer(app.callback())
}

async function hapiServer() {
  const server = Hapi.server({ address: '127.0.0.1', debug: false })
  server.route({ method: 'GET', path: '/users/{id}', handler: ({ params }) => params })
  server.route({ method: 'GET', path: '/boom', handler: boom })
  server.ext('onPreResponse', (request, h) => {
    trace.route(request.raw.req, request.route.path)
    const { response } = request
    if (response instanceof Error && response.output.statusCode >= 500) {
      trace.current().tag('error', response.message)
      trace.current().tag('error.type', response.code)
    }
    return h.continue
  })
  await server.initialize()
  return server.listener
}

const servers = {
  express: expressServer(express),
  express4: expressServer(express4),
  fastify: await fastifyServer(),
  koa: koaServer(),
  hapi: await hapiServer(),
}
const paths = [
  '/users/7',
  '/nested/posts/9',
  '/nested',
  '/people/3/posts/9',
  '/people/3/posts/9/comments/4',
  '/boom',
  '/refused',
  '/nowhere',
]
for (const [name, server] of Object.entries(servers)) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  for (const path of paths) {
    const { port } = server.address()
    const root = trace.start(`${name} ${path}`)
    const call = http.get({
      port,
      host: '127.0.0.1',
      path,
      agent: false,
      headers: root.inject({}, 'traceparent'),
    })
    const [answer] = await once(call, 'response')
    await once(answer.resume(), 'close')
    root.end()
  }
  server.close()
  await once(server, 'close')
}
console.log(JSON.stringify({ stored: await flush() }))
process.exit()
