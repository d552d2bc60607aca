// Keeps a Node process on the loopback interface: what listens is bound to 127.0.0.1, what
// connects or looks up a name elsewhere fails at once, as on a machine without a network.
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/

function refusal(what) {
  return Object.assign(new Error(`${what} is outside of this test`), { code: 'ENOTFOUND' })
}

function listenOnLoopback() {
  const listen = net.Server.prototype.listen
  net.Server.prototype.listen = function (...args) {
    const callback = args.find((arg) => typeof arg === 'function')
    const [first] = args
    const options = typeof first === 'object' && first !== null ? first : { port: Number(first) || 0 }
    return listen.call(this, { ...options, host: '127.0.0.1' }, callback)
  }
}

function connectToLoopback() {
  const connect = net.Socket.prototype.connect
  net.Socket.prototype.connect = function (...args) {
    // net.connect hands over its arguments as one array.
    const [first, second] = Array.isArray(args[0]) ? args[0] : args
    const options = typeof first === 'object' && first !== null ? first : {}
    const host = options.host ?? (typeof second === 'string' ? second : 'localhost')
    if (typeof options.path === 'string' || LOOPBACK.test(host)) return connect.apply(this, args)
    process.nextTick(() => this.destroy(refusal(host)))
    return this
  }
}

function resolveNothing() {
  const nothing = async (name) => {
    throw refusal(name)
  }
  const nothingLater = (name, ...rest) => process.nextTick(rest.at(-1), refusal(name))
  const resolvers = (object) => Object.getOwnPropertyNames(object).filter((name) => /^(resolve|reverse)/.test(name))
  for (const owner of [dns.promises, dns.promises.Resolver.prototype]) {
    for (const name of resolvers(owner)) owner[name] = nothing
  }
  for (const owner of [dns, dns.Resolver.prototype]) {
    for (const name of resolvers(owner)) owner[name] = nothingLater
  }
}

export function stayOnLoopback() {
  // The servers call themselves by `localhost`, which may mean ::1 first.
  dns.setDefaultResultOrder('ipv4first')
  listenOnLoopback()
  connectToLoopback()
  resolveNothing()
  syncBuiltinESMExports()
}
