// SPDX-License-Identifier: GPL-3.0-or-later
// node flamenco_author.mjs SCRIPT.js: compiles a Flamenco job type with its default settings, and prints what it asked
// of Flamenco. The stand-in has what Flamenco's documentation gives to scripts, and nothing else of node.
import fs from "node:fs";
import vm from "node:vm";

const tasks = [];
const author = {
    Task: (name, type) => ({
        name, type, commands: [], dependencies: [],
        addCommand(command) { this.commands.push(command); },
        addDependency(task) {
            if (!tasks.includes(task)) throw new Error("depends on a task that was not added");
            this.dependencies.push(tasks.indexOf(task));
        },
    }),
    Command: (name, parameters) => ({ name, parameters }),
};
const context = vm.createContext({ author });
vm.runInContext(fs.readFileSync(process.argv[2], "utf8") + "\nthis.JOB_TYPE = JOB_TYPE;", context);
const settings = {};
for (const setting of context.JOB_TYPE.settings) {
    const known = ["key", "type", "subtype", "required", "default", "description", "visible", "eval", "editable"];
    for (const name of Object.keys(setting)) if (!known.includes(name)) throw new Error(`unknown: ${name}`);
    settings[setting.key] = setting.default;
}
context.job = { name: "job", settings, addTask: (task) => tasks.push(task) };
vm.runInContext("compileJob(job)", context);
console.log(JSON.stringify({ label: context.JOB_TYPE.label, tasks }));
