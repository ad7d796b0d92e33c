// One real device: the vendor's device SDK connects it, and what an application does with an
// upgrade is written here. Prints what happens, one line each.
//
//   node device.js --broker mqtt://127.0.0.1:1883 --product PK --name DN --secret S
//     --version V      what it runs at first (1.0.0)
//     --fail=CODE      gives up half way with that code, -1 to -4
//     --away MS        goes offline after its first report and comes back so much later
//     --stay           goes on after its upgrade, until SIGTERM
//
// Exit code 0 when it runs a new version, or failed as it was to; 1 when something went wrong.
'use strict';

const crypto = require('crypto');
const http = require('http');
const { parseArgs } = require('util');
const iot = require('alibabacloud-iot-device-sdk');

const { values: options } = parseArgs({
  options: {
    broker: { type: 'string' },
    product: { type: 'string' },
    name: { type: 'string' },
    secret: { type: 'string' },
    version: { type: 'string', default: '1.0.0' },
    fail: { type: 'string' },
    away: { type: 'string' },
    stay: { type: 'boolean', default: false },
  },
});

const STEP_MS = 100; // A twentieth of an upgrade takes so long.
const REBOOT_MS = 500;
const topic = (what) => `/ota/device/${what}/${options.product}/${options.name}`;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

let version = options.version;
let device;
let messageId = 0;
let busy = false;

function say(what, detail = '') {
  const time = new Date().toISOString().slice(11, 23);
  console.log(`${time} ${options.name.padEnd(12)} ${what.padEnd(10)} ${detail}`);
}

function fatal(error) {
  say('error', error.message);
  process.exit(1);
}

function publish(what, params, qos = 0) {
  const payload = JSON.stringify({ id: String(++messageId), params });
  return new Promise((done) => device.publish(topic(what), payload, { qos }, done));
}

function inform() {
  say('report', `version ${version}`);
  return publish('inform', { version }, 1);
}

async function report(step, desc = '') {
  say('progress', `${step}${desc && ` ${desc}`}`);
  await publish('progress', { step: String(step), desc });
}

function connect() {
  return new Promise((done) => {
    device = iot.device({
      productKey: options.product,
      deviceName: options.name,
      deviceSecret: options.secret,
      brokerUrl: options.broker,
    });
    // A device that was registered a moment ago may be refused at first; the SDK tries again.
    device.on('error', (error) => say('refused', error.message));
    device.on('message', (from, payload) => {
      if (from === topic('upgrade')) upgrade(JSON.parse(payload.toString()));
    });
    device.once('connect', () => {
      say('connected', options.broker);
      device.subscribe(topic('upgrade'), { qos: 1 }, done);
    });
  });
}

function disconnect() {
  return new Promise((done) => device.end(false, done));
}

async function boot() {
  await connect();
  await inform();
}

// The file's digest, read off the wire.
function download(data) {
  const method = data.signMethod === 'Md5' ? 'md5' : 'sha256';
  return new Promise((done, failed) => {
    const request = http.get(data.url, { headers: { Range: 'bytes=0-' } }, (answer) => {
      const digest = crypto.createHash(method);
      let size = 0;
      answer.on('data', (bytes) => {
        digest.update(bytes);
        size += bytes.length;
      });
      answer.on('error', failed);
      answer.on('end', () => {
        say('download', `HTTP ${answer.statusCode}, ${size} of ${data.size} bytes`);
        done({ fits: size === data.size && digest.digest('hex') === data.sign, method });
      });
    });
    request.on('error', failed);
  });
}

async function upgrade({ data }) {
  say('notice', `version ${data.version}, ${data.size} bytes, ${data.signMethod} ${data.sign}`);
  if (data.version === version) return inform();
  if (busy) return undefined;
  busy = true;
  await report(0);
  const { fits, method } = await download(data);
  say('digest', `${method} ${fits ? 'fits' : 'is WRONG'}`);
  if (!fits) return report(-3, 'digest does not fit').then(() => finish(1));
  for (let step = 5; step <= 100; step += 5) {
    await sleep(STEP_MS);
    if (options.fail && step === 50) {
      await report(options.fail, 'failed on purpose');
      return finish(0);
    }
    await report(step);
  }
  return reboot(data.version);
}

async function reboot(newVersion) {
  say('reboot', `into ${newVersion}`);
  await disconnect();
  await sleep(REBOOT_MS);
  version = newVersion;
  await boot();
  return finish(0);
}

async function finish(code) {
  busy = false;
  if (options.stay) return;
  await disconnect();
  process.exit(code);
}

async function main() {
  process.on('SIGTERM', () => process.exit(0));
  await boot();
  if (!options.away) return;
  say('offline', `for ${options.away} ms`);
  await disconnect();
  await sleep(Number(options.away));
  await connect();
}

main().catch(fatal);
process.on('unhandledRejection', fatal);
