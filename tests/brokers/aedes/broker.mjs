// A broker made of aedes: node broker.mjs MQTT MQTTS WS WSS CERTIFICATE KEY, the first four being ports on 127.0.0.1.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import { Aedes } from 'aedes'
import { WebSocketServer, createWebSocketStream } from 'ws'

const [ports, [certificate, key]] = [process.argv.slice(2, 6), process.argv.slice(6)]
const identity = { cert: readFileSync(certificate), key: readFileSync(key) }
const broker = await Aedes.createBroker()

function webSockets(server) {
  new WebSocketServer({ server }).on('connection', (socket) => broker.handle(createWebSocketStream(socket)))
  return server
}

const servers = [
  net.createServer(broker.handle),
  tls.createServer(identity, broker.handle),
  webSockets(http.createServer()),
  webSockets(https.createServer(identity)),
]
servers.forEach((server, i) => server.listen(ports[i], '127.0.0.1'))
const about = JSON.parse(readFileSync(new URL('node_modules/aedes/package.json', import.meta.url)))
console.log('aedes', about.version)
