// SPDX-License-Identifier: GPL-3.0-or-later
// A Human3R job for Flamenco: put this file into the folder "scripts" beside the manager, and clips.json where all
// workers reach it. Tasks of the type "human3r" are for workers with a GPU: give those a tag, or a task type of their own.

const HUMAN3R = /*JOB*/ {};

const JOB_TYPE = {
    label: HUMAN3R.label,
    settings: [
        { key: "output", type: "string", subtype: "dir_path", required: true, default: HUMAN3R.output,
          description: "Folder for takes, scenes and the report, which all workers reach" },
        { key: "clips_file", type: "string", subtype: "file_path", required: true, default: HUMAN3R.clipsFile,
          description: "The list of clips (clips.json) of the bundle, for the report" },
        { key: "engine_python", type: "string", required: true, default: HUMAN3R.python,
          description: "Python of the engine on the workers" },
        { key: "engine_start", type: "string", required: true, default: HUMAN3R.start,
          description: "The engine's file engine/farm/start.py on the workers" },
        { key: "blender", type: "string", required: true, default: HUMAN3R.blender,
          description: "Blender on the workers, with the extension enabled" },
    ],
};

function compileJob(job) {
    const settings = job.settings;
    const file = (name, ending) => settings.output + "/" + name + ending;
    const all = [];

    function add(name, type, exe, args, after) {
        const task = author.Task(name, type);
        task.addCommand(author.Command("exec", { exe: exe, args: args }));
        for (const one of after) task.addDependency(one);
        job.addTask(task);
        all.push(task);
        return task;
    }

    const engine = (words) => [settings.engine_start].concat(words);
    for (const clips of HUMAN3R.tasks) {
        const words = ["farm-task"];
        clips.forEach((clip, place) => {
            const take = file(clip[1], ".h3r");
            words.push.apply(words, place ? ["--also", clip[0], take] : [clip[0], "--take", take]);
        });
        const args = engine(words.concat(HUMAN3R.taskWords));
        const reconstruct = add("reconstruct " + clips[0][1], "human3r", settings.engine_python, args, []);
        if (HUMAN3R.importWords === null) continue;
        for (const clip of clips) {
            const place = { TAKE: file(clip[1], ".h3r"), BLEND: file(clip[1], ".blend") };
            const words = HUMAN3R.importWords.map((word) => place[word] || word);
            add("scene " + clip[1], "blender", settings.blender, words, [reconstruct]);
        }
    }
    const place = { "clips.json": settings.clips_file, OUTPUT: settings.output };
    const words = HUMAN3R.reportWords.map((word) => place[word] || word);
    add("report", "misc", settings.engine_python, engine(words), all.slice());
}
