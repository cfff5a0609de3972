// zigbee2mqtt's own handling of orders (its extension `publish` and the converters), with lamps that only record what they are sent.
//
// Arguments: the folder with node_modules, and an empty folder for zigbee2mqtt's data; then one lamp each, `name=model=manufacturer`.
// In: one JSON object a line, {topic, message}, as it came from the broker. Out: one JSON object a line: {lamp, cluster, command,
// payload} for each command that would be on the air, {lamp, state} for what zigbee2mqtt then publishes, {error} for what it logs.

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");

const [, , installed, data, ...wanted] = process.argv;
process.env.ZIGBEE2MQTT_DATA = data;
const from = (module) => require(path.join(installed, "node_modules", module));

const tell = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);
const lamps = wanted.map((words, index) => {
  const [name, modelID, manufacturerName] = words.split("=");
  return { name, modelID, manufacturerName, ieeeAddr: `0x${(index + 1).toString(16).padStart(16, "0")}` };
});
fs.writeFileSync(
  path.join(data, "configuration.yaml"),
  [
    "version: 5",
    "mqtt: {server: 'mqtt://127.0.0.1:1'}",
    "serial: {port: /dev/null, adapter: ember}",
    "advanced: {log_output: []}",
    "devices:",
    ...lamps.map((lamp) => `  '${lamp.ieeeAddr}': {friendly_name: ${lamp.name}}`),
  ].join("\n"),
);

const settings = from("zigbee2mqtt/dist/util/settings.js");
const logger = from("zigbee2mqtt/dist/util/logger.js").default;
const Device = from("zigbee2mqtt/dist/model/device.js").default;
const EventBus = from("zigbee2mqtt/dist/eventBus.js").default;
const Publish = from("zigbee2mqtt/dist/extension/publish.js").default;
const converters = from("zigbee-herdsman-converters");

/** Milliseconds until a lamp has answered. Meanwhile zigbee2mqtt begins with the next order. */
const ROUND_TRIP = 40;

/** The converters tell an endpoint from a group by the name of its class. */
class Endpoint {}

/** An endpoint in name only. It is bound and configured already, has every cluster, and answers every command. */
function endpointOf(lamp, device) {
  const say = (command) => (cluster, ...rest) => {
    const [payload] = command === "send" ? rest.slice(1) : rest;
    tell({ lamp, cluster: String(cluster), command: command === "send" ? String(rest[0]) : command, payload });
    return new Promise((answered) => setTimeout(answered, ROUND_TRIP, {}));
  };
  return Object.assign(new Endpoint(), {
    ID: 1,
    deviceIeeeAddress: device.ieeeAddr,
    binds: [],
    configuredReportings: [],
    meta: {},
    getDevice: () => device,
    supportsInputCluster: () => true,
    supportsOutputCluster: () => false,
    getInputClusters: () => [],
    getOutputClusters: () => [],
    getClusterAttributeValue: (_, attribute) => (attribute === "colorCapabilities" ? 0x1f : undefined),
    hasPendingRequests: () => false,
    save() {},
    saveClusterAttributeKeyValue() {},
    command: say("send"),
    commandResponse: say("send"),
    write: say("write"),
    read: () => Promise.resolve({}),
    configureReporting: () => Promise.resolve(),
    bind: () => Promise.resolve(),
  });
}

function deviceOf({ name, modelID, manufacturerName, ieeeAddr }) {
  const zh = {
    ieeeAddr, modelID, manufacturerName, type: "Router", interviewState: "SUCCESSFUL", customClusters: {}, meta: {},
    endpoints: [], powerSource: "Mains (single phase)", applicationVersion: 1, softwareBuildID: "1.100.0",
    getEndpoint: () => zh.endpoints[0],
    save() {},
    addCustomCluster() {},
  };
  zh.endpoints.push(endpointOf(name, zh));
  return new Device(zh);
}

async function main() {
  settings.reRead();
  logger.init();
  const heard = (level) => (text) => tell({ [level]: typeof text === "function" ? text() : text });
  for (const one of [logger, { target: converters }]) {
    if (one === logger) Object.assign(logger, { error: heard("error"), warning: heard("warning"), info() {}, debug() {} });
    else converters.setLogger({ error: heard("error"), warning: heard("warning"), info() {}, debug() {} });
  }
  const devices = lamps.map(deviceOf);
  const states = new Map(devices.map((device) => [device, {}]));
  for (const device of devices) {
    await device.resolveDefinition(true);
    device.definition ??= await converters.findByDevice(device.zh);
    if (!device.definition || device.definition.generated) throw new Error(`the converters do not know ${device.zh.modelID}`);
  }
  const named = (name) => devices.find((device) => device.name === name || device.ieeeAddr === name);
  const zigbee = {
    resolveEntity: named,
    resolveEntityAndEndpoint: (name) => ({ ID: name, entity: named(name), endpointID: undefined, endpoint: undefined }),
  };
  const state = { get: (device) => states.get(device) };
  const publishEntityState = (device, payload) => {
    Object.assign(states.get(device), payload);
    tell({ lamp: device.name, state: states.get(device) });
  };
  const publish = new Publish(zigbee, {}, state, publishEntityState, new EventBus());
  await publish.start();
  tell({ ready: devices.map((device) => `${device.name}: ${device.definition.vendor} ${device.definition.model}`) });

  // One after another, as they come, but nobody waits for an answer: neither does zigbee2mqtt.
  readline.createInterface({ input: process.stdin }).on("line", (line) => void publish.onMQTTMessage(JSON.parse(line)));
}

main().catch((error) => {
  tell({ error: String(error.stack) });
  process.exit(1);
});
