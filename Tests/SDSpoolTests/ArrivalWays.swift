// The ways in which a file comes to lie in a folder: each as a person or a program goes it, with the real tool.

/// One way: a script for sh(1), which finds the text of the job in `$JOB`, the file that is to be in `$FILE`, its folder in
/// `$INBOX` and its name in `$NAME`, and stands in a folder of its own on the same filesystem.
struct ArrivalWay: Sendable, CustomStringConvertible {
    let description: String
    let script: String
    /// What it needs besides sh(1) and coreutils.
    let programs: [String]
    /// The kernel does not tell of its last change.
    var isSilent = false

    private init(_ description: String, needs programs: String..., script: String) {
        self.description = description
        self.script = script
        self.programs = programs
    }

    /// The file before its last byte, which a job that is still arriving is.
    private static let half = #"printf %s "${JOB%?}" >"$FILE""#

    private static func python(_ description: String, isSilent: Bool = false, _ lines: String) -> ArrivalWay {
        let head =
            "import ctypes, mmap, os, socket, sys, tempfile, time\njob = os.environ['JOB'].encode()\n"
            + "file, inbox = os.environ['FILE'], os.environ['INBOX']\n"
        var way = ArrivalWay(description, needs: "python3", script: "python3 - <<'END'\n\(head)\(lines)\nEND")
        way.isSilent = isSilent
        return way
    }

    static let all = [
        ArrivalWay("sh >", script: #"printf %s "$JOB" >"$FILE""#),
        ArrivalWay("cp", script: #"printf %s "$JOB" >x; cp x "$FILE""#),
        ArrivalWay("dd", script: #"printf %s "$JOB" | dd of="$FILE" bs=7 status=none"#),
        ArrivalWay("curl -o", needs: "curl", script: #"printf %s "$JOB" >x; curl -so "$FILE" "file://$PWD/x""#),
        ArrivalWay("cp -p, with an old time", script: #"printf %s "$JOB" >x; touch -d 2001-01-01 x; cp -p x "$FILE""#),
        ArrivalWay(
            "mv across filesystems",
            script: #"x=$(mktemp -p /dev/shm); printf %s "$JOB" >"$x"; mv "$x" "$FILE""#),
        ArrivalWay(
            "tar", needs: "tar", script: #"printf %s "$JOB" >"$NAME"; tar cf x.tar "$NAME"; tar xf x.tar -C "$INBOX""#),
        ArrivalWay(
            "unzip", needs: "unzip", "python3",
            script: #"printf %s "$JOB" >"$NAME"; python3 -m zipfile -c x.zip "$NAME"; unzip -q x.zip -d "$INBOX""#),
        ArrivalWay(
            "install",
            // Its late change of the mode may find the file gone.
            script: #"printf %s "$JOB" >x; install -m 640 x "$FILE" 2>/dev/null || [ ! -e "$FILE" ]"#),
        ArrivalWay(
            "rsync --inplace", needs: "rsync",
            // Its late change of times finds the file gone, about which it complains: exit status 23.
            script: #"printf %s "$JOB" >x; rsync -t --inplace x "$FILE" 2>/dev/null || [ $? = 23 ]"#),
        ArrivalWay("mv in the filesystem", script: #"printf %s "$JOB" >x; mv x "$FILE""#),
        ArrivalWay(
            "rsync --temp-dir", needs: "rsync",
            script: #"printf %s "$JOB" >x; mkdir t; rsync --temp-dir="$PWD/t" x "$FILE""#),
        ArrivalWay("a hidden draft and mv", script: #"printf %s "$JOB" >"$INBOX/.x"; mv "$INBOX/.x" "$FILE""#),
        ArrivalWay("a .part and mv", script: #"printf %s "$JOB" >"$FILE.part"; mv "$FILE.part" "$FILE""#),
        ArrivalWay("rsync", needs: "rsync", script: #"printf %s "$JOB" >x; rsync x "$FILE""#),
        ArrivalWay("mv over a half", script: #"\#(half); printf %s "$JOB" >x; mv x "$FILE""#),
        ArrivalWay(
            "rsync --delay-updates", needs: "rsync", script: #"printf %s "$JOB" >x; rsync --delay-updates x "$FILE""#),
        ArrivalWay("sed -i", script: #"\#(half); sed -i 's/$/}/' "$FILE""#),
        python(
            "tempfile and os.replace",
            """
            with tempfile.NamedTemporaryFile(dir=inbox, delete=False) as draft: draft.write(job)
            os.replace(draft.name, file)
            """),
        ArrivalWay("ln", script: #"printf %s "$JOB" >x; ln x "$FILE""#),
        ArrivalWay("cp -l", script: #"printf %s "$JOB" >x; cp -l x "$FILE""#),
        ArrivalWay(
            "a draft, ln and rm", script: #"printf %s "$JOB" >"$INBOX/d"; ln "$INBOX/d" "$FILE"; rm "$INBOX/d""#),
        python(
            "O_TMPFILE and linkat",
            """
            draft = os.open(inbox, os.O_TMPFILE | os.O_WRONLY)
            os.write(draft, job)
            ctypes.CDLL(None).linkat(-100, f"/proc/self/fd/{draft}".encode(), -100, file.encode(), 0x400)
            """),
        ArrivalWay("overwritten in place", script: #"\#(half); printf %s "$JOB" >"$FILE""#),
        ArrivalWay("appended to", script: #"\#(half); printf %s } >>"$FILE""#),
        ArrivalWay(
            "byte by byte, closed each time",
            script: #"rest=$JOB; while [ "$rest" ]; do printf %c "$rest" >>"$FILE"; rest=${rest#?}; done"#),
        ArrivalWay("made empty, then written", script: #": >"$FILE"; printf %s "$JOB" >"$FILE""#),
        ArrivalWay(
            "made empty, then a .part moved over it, as browsers do",
            script: #": >"$FILE"; printf %s "$JOB" >"$FILE.part"; mv "$FILE.part" "$FILE""#),
        python(
            "allocated as a whole, then filled",
            """
            whole = os.open(file, os.O_CREAT | os.O_WRONLY)
            os.posix_fallocate(whole, 0, len(job))
            time.sleep(0.1)
            for at in range(len(job)): os.pwrite(whole, job[at:at + 1], at)
            """),
        python(
            "written through mmap behind its close", isSilent: true,
            """
            whole = os.open(file, os.O_CREAT | os.O_RDWR)
            os.ftruncate(whole, len(job))
            view = mmap.mmap(whole, len(job))
            os.close(whole)
            view[:] = job
            view.close()
            """),
        ArrivalWay(
            "vim", needs: "vim",
            script:
                #"\#(half); vim -es -u NONE -c 'set backup' -c 'normal A}' -c wq "$FILE" </dev/null; rm -f "$FILE~""#),
        ArrivalWay(
            "vim with backupcopy=yes", needs: "vim",
            script: #"\#(half); vim -es -u NONE -c 'set backupcopy=yes' -c 'normal A}' -c wq "$FILE" </dev/null"#),
        ArrivalWay("chmod behind the close", script: #"umask 077; printf %s "$JOB" >"$FILE"; chmod 644 "$FILE" || :"#),
        python(
            "exchanged with a half (renameat2)",
            """
            open(file, "wb").write(job[:-1])
            open(inbox + "/other", "wb").write(job)
            ctypes.CDLL(None).renameat2(-100, (inbox + "/other").encode(), -100, file.encode(), 2)
            os.remove(inbox + "/other")
            """),
        ArrivalWay("touch, then the rest", script: #"\#(half); touch "$FILE"; printf %s } >>"$FILE""#),
        python(
            "complete, and open for a while",
            """
            with open(file, "wb") as open_file:
                open_file.write(job)
                open_file.flush()
                time.sleep(0.3)
                open_file.seek(0)
                open_file.write(job.replace(b"a cat", b"a dog"))
            """),
    ]
}
