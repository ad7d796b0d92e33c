// The vendor's API clients, one call a line: {"action": …, "params": {…}} comes in, {"body": …} or
// {"code": …, "message": …} goes out; to {"list": true} all names of actions, {"actions": […]}. The SDK's answer has gone through its types, so a shape that
// it does not know is an error here as well.
//
//   node console.js CLIENT HOST:PORT ACCESS_KEY_ID ACCESS_KEY_SECRET
//
// CLIENT is sdk (headers signed by ACS3-HMAC-SHA256), sdk-v2 (the SDK with the older signature),
// rpc-get or rpc-post (the older client).
'use strict';

const readline = require('readline');
const { Config } = require('@alicloud/openapi-client');
const Rpc = require('@alicloud/pop-core').RPCClient;
const iot = require('@alicloud/iot20180120');

const [kind, endpoint, accessKeyId, accessKeySecret] = process.argv.slice(2);

const lowerFirst = (name) => name[0].toLowerCase() + name.slice(1);

function sdkCall() {
  const config = new Config({ accessKeyId, accessKeySecret, endpoint, protocol: 'HTTP' });
  if (kind === 'sdk-v2') config.signatureAlgorithm = 'v2';
  const client = new iot.default(config);
  return async (action, params) => {
    const entries = Object.entries(params).map(([name, value]) => [lowerFirst(name), value]);
    const request = new iot[`${action}Request`](Object.fromEntries(entries));
    const response = await client[lowerFirst(action)](request);
    return response.body.toMap();
  };
}

function rpcCall() {
  const client = new Rpc({
    accessKeyId, accessKeySecret, endpoint: `http://${endpoint}`, apiVersion: '2018-01-20',
  });
  const method = kind === 'rpc-get' ? 'GET' : 'POST';
  return (action, params) => client.request(action, params, { method });
}

function actions() {
  const methods = Object.getOwnPropertyNames(iot.default.prototype);
  return Object.keys(iot)
    .filter((name) => name.endsWith('Request'))
    .map((name) => name.slice(0, -'Request'.length))
    .filter((name) => methods.includes(lowerFirst(name)));
}

async function main() {
  const call = kind.startsWith('sdk') ? sdkCall() : rpcCall();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { action, params, list } = JSON.parse(line);
    if (list) {
      console.log(JSON.stringify({ actions: actions() }));
      continue;
    }
    let answer;
    try {
      answer = { body: await call(action, params) };
    } catch (error) {
      answer = { code: error.code || error.name, message: error.message };
    }
    console.log(JSON.stringify(answer));
  }
}

main();
