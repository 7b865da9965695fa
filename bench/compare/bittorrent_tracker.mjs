// The HTTP tracker of the npm package bittorrent-tracker, as its own command starts it with --http --silent:
//
//     node bittorrent_tracker.mjs NODE_MODULES PORT
//
// The command itself cannot start without the package's client for browsers, a part of which is downloaded as a binary.
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [modules, port] = process.argv.slice(2)
const { default: Server } = await import(pathToFileURL(path.resolve(modules, 'bittorrent-tracker/server.js')))
const settings = { http: true, udp: false, ws: false, stats: false, interval: 1_800_000, peersCacheTtl: 3_600_000 }
const server = new Server(settings)
server.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 1
})
server.on('warning', () => {}) // requests that it refuses; it has told the client
server.listen({ http: Number(port) }, { http: '127.0.0.1' })
