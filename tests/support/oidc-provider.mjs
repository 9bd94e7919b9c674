// A certified OpenID Connect provider (panva's oidc-provider) on loopback, as the tests start it:
// node oidc-provider.mjs PORT HOST REDIRECT_URI…
// POST /accounts replaces whom it knows: {login: claims}. It prints a line once it listens.
import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import { Provider } from "oidc-provider"

const [port, host, ...redirectUris] = process.argv.slice(2)
const issuer = `http://${host}:${port}`
const SECRET = "a secret between the site and its provider"
let accounts = {}

const client = (client_id, more) => ({
  client_id,
  client_secret: SECRET,
  redirect_uris: redirectUris,
  grant_types: ["authorization_code"],
  response_types: ["code"],
  ...more,
})

const provider = new Provider(issuer, {
  clients: [
    client("site"),
    client("elliptic", { id_token_signed_response_alg: "ES256" }),
    client("edwards", { id_token_signed_response_alg: "EdDSA" }),
    client("public", { client_secret: undefined, token_endpoint_auth_method: "none" }),
    client("posting", { token_endpoint_auth_method: "client_secret_post" }),
  ],
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["name", "preferred_username"],
    groups: ["groups", "realm_access"],
  },
  cookies: { keys: ["keys that only these tests know"] },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: `subject of ${id}`, ...accounts[id] }) }),
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  jwks: {
    keys: [
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
      generateKeyPairSync("ec", { namedCurve: "P-256" }),
      generateKeyPairSync("ed25519"),
    ].map(({ privateKey }) => ({ ...privateKey.export({ format: "jwk" }), use: "sig" })),
  },
  // Nobody is asked for their consent to what an organisation's own site is told.
  async loadExistingGrant({ oidc }) {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId })
    grant.addOIDCScope(oidc.params.scope)
    await grant.save()
    return grant
  },
})

const FORM = `<!doctype html><html lang="en"><title>Provider</title>
<form method="post"><label>Login <input name="login" required></label><button>Sign in there</button></form>
<form method="post"><button name="abort" value="yes">Cancel</button></form></html>`

async function bodyOf(request) {
  let text = ""
  for await (const piece of request) text += piece
  return text
}

async function interact(request, response) {
  if (request.method === "GET") {
    response.setHeader("Content-Type", "text/html")
    return response.end(FORM)
  }
  const said = new URLSearchParams(await bodyOf(request))
  const result = said.has("abort")
    ? { error: "access_denied", error_description: "<b>cancelled</b>" }
    : { login: { accountId: said.get("login") } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
}

const answer = provider.callback()
const server = createServer(async (request, response) => {
  if (request.url.startsWith("/interaction/")) return interact(request, response)
  if (request.url !== "/accounts") return answer(request, response)
  accounts = JSON.parse(await bodyOf(request))
  response.end()
})
server.listen(Number(port), "127.0.0.1", () => console.log(`listening ${SECRET}`))
