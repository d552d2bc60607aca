// A real PDS for tests: `node serve.mjs FOLDER`, where FOLDER holds the node_modules that
// ../install.py filled. Prints one line of JSON (url, handle, password, did) once it answers,
// and ends when standard input closes or on SIGTERM.
//
// Environment: POSTKIT_PDS_HANDLE (must end in .test), POSTKIT_PDS_PASSWORD (default: generated),
// POSTKIT_PDS_RATE_LIMITS (`0` turns the server's rate limits off).
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stayOnLoopback } from './loopback.mjs'

const folder = process.argv[2]
if (folder === undefined) {
  console.error('usage: node serve.mjs FOLDER   (FOLDER is what install.py prints)')
  process.exit(2)
}

stayOnLoopback()

// Standard output carries one line for a program to read; the server's log has no place there.
process.env.LOG_ENABLED = 'false'
console.log = console.info = console.error

// The servers put databases and blobs below the temporary folder and leave them there.
const scratch = mkdtempSync(join(tmpdir(), 'postkit-pds-'))
process.env.TMPDIR = scratch
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

const require = createRequire(join(resolve(folder), 'package.json'))
const { TestNetworkNoAppView } = await import(pathToFileURL(require.resolve('@atproto/dev-env')))

const handle = process.env.POSTKIT_PDS_HANDLE || `a${randomBytes(5).toString('hex')}.test`
const password = process.env.POSTKIT_PDS_PASSWORD || randomBytes(18).toString('base64url')

let network
let ending = false
async function end() {
  if (ending) return
  ending = true
  // A client's open connection may hold the servers' own ending; a test must not wait for it.
  setTimeout(() => process.exit(0), 3000).unref()
  await network?.close().catch(() => undefined)
  process.exit(0)
}
process.on('SIGTERM', end)
process.on('SIGINT', end)
process.stdin.on('end', end).on('close', end).resume()

network = await TestNetworkNoAppView.create({
  pds: {
    hostname: 'localhost',
    version: require('@atproto/pds/package.json').version,
    rateLimitsEnabled: process.env.POSTKIT_PDS_RATE_LIMITS !== '0',
    crawlers: [],
  },
})
const url = `http://127.0.0.1:${network.pds.port}`
const answer = await fetch(`${url}/xrpc/com.atproto.server.createAccount`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ handle, password, email: `${handle.split('.')[0]}@mail.test` }),
})
const account = await answer.json()
if (!answer.ok) {
  console.error(`The PDS refused the account ${handle}: ${answer.status} ${account.message}`)
  process.exit(1)
}
process.stdout.write(`${JSON.stringify({ url, handle: account.handle, password, did: account.did })}\n`)
