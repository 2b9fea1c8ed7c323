// SPDX-License-Identifier: GPL-3.0-or-later
// Prints what Khronos's validator has against a GLB file, as JSON: node validate_glb.mjs MODULES FILE
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, file] = process.argv.slice(2);
const validator = createRequire(`${modules}/`)("gltf-validator");
const report = await validator.validateBytes(new Uint8Array(readFileSync(file)), { maxIssues: 0 });
console.log(JSON.stringify(report.issues));
