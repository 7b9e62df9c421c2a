// A vehicle on npm's vda-5050-lib (VDA 5050 2.0.0): its AgvController with its own virtual adapter, as its README shows.
// Arguments: folder of node_modules, broker url, manufacturer, serial number, x, y, map, how much faster than real.
const fs = require("fs");
const path = require("path");
const [modules, brokerUrl, manufacturer, serialNumber, x, y, mapId, timeLapse] = process.argv.slice(2);
const { AgvController, VirtualAgvAdapter } = require(path.join(modules, "vda-5050-lib"));
const transport = { brokerUrl };
const files = process.env.TRIAL_TLS;
if (files) {
  const read = (name) => fs.readFileSync(path.join(files, name));
  transport.tlsOptions = { ca: read("ca.crt"), cert: read("client.crt"), key: read("client.key") };
}
const vehicle = new AgvController(
  { manufacturer, serialNumber },
  { interfaceName: "uagv", vdaVersion: "2.0.0", transport },
  { agvAdapterType: VirtualAgvAdapter },
  { initialPosition: { mapId, x: Number(x), y: Number(y), theta: 0, lastNodeId: "" }, vehicleSpeed: 1, timeLapse: Number(timeLapse) },
);
vehicle.start().catch((error) => {
  console.error(error);
  process.exit(1);
});
process.on("SIGTERM", () => vehicle.stop().then(() => process.exit(0)));
