// sdspool completion: what makes a shell complete the command line. Written from the table of commands, so it knows them all.

import Foundation

enum Completion {
    static let help = """
        usage: sdspool completion bash|zsh|fish

        Prints a script that makes the shell complete commands, options and the names of jobs:

          bash  sdspool completion bash > ~/.local/share/bash-completion/completions/sdspool
          zsh   sdspool completion zsh > a folder of $fpath, as _sdspool
          fish  sdspool completion fish > ~/.config/fish/completions/sdspool.fish
        """

    static func main(_ words: [String]) throws {
        let arguments = try Arguments(words, of: "completion", options: [], help: help)
        switch arguments.operands {
        case ["bash"]: answer(bash)
        case ["zsh"]: answer(zsh)
        case ["fish"]: answer(fish)
        default: throw Exit(.usage, "sdspool completion: for which shell? bash, zsh or fish")
        }
    }

    /// Prints the names of jobs, for the shells: what waits, is held, or has failed, as tickets tell it. Paths are looked at
    /// as they are; a spool that is not there completes nothing. No alias of the shell's has a say in it.
    private static let names = """
        command ls -1 -- "$dir/queue" "$dir/active" "$dir/hold" 2>/dev/null | sed -n 's/^[0-9]-[0-9]*T[0-9]*\\.[0-9]*Z\\.//; s/\\.json$//; /:$/!{/./p;}'
        """

    private static let results = #"command ls -1 -- "$dir/failed" 2>/dev/null"#

    private static func words(_ command: Subcommand) -> String {
        (command.options.union(command.flags).union(["--help"])).sorted().joined(separator: " ")
    }

    private static let commandNames = Subcommand.all.map(\.name).joined(separator: " ")

    static var bash: String {
        let cases = Subcommand.all.map { command in
            "    \(command.name)) options='\(words(command))'; operands=\(command.operands) ;;"
        }
        return """
            # bash completion for sdspool; see bash(1), Programmable Completion
            _sdspool() {
              local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
              local options operands dir=${SDSPOOL_DIR:-spool} index name
              local -a names=()
              COMPREPLY=()
              if [ "$COMP_CWORD" -eq 1 ]; then
                COMPREPLY=($(compgen -W '\(commandNames) --help --version' -- "$word")); return
              fi
              for ((index = 2; index < COMP_CWORD; index++)); do
                [ "${COMP_WORDS[index-1]}" = --spool ] && dir=${COMP_WORDS[index]}
              done
              case $before in
                --spool) compopt -o dirnames; return ;;
                --credentials|--on-*) compopt -o default; return ;;
                --log) COMPREPLY=($(compgen -W 'text json' -- "$word")); return ;;
              esac
              case $command in
            \(cases.joined(separator: "\n"))
                *) return ;;
              esac
              if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word")); return; fi
              case $operands in
                files) compopt -o default ;;
                jobs) mapfile -t names < <(\(names)) ;;
                results) mapfile -t names < <(\(results)) ;;
                shells) names=(bash zsh fish) ;;
              esac
              # Whoever can drop a file has named it: compgen -W would run what is in such a name, and so would the line that
              # it is put into as it is.
              for name in "${names[@]}"; do
                printf -v name %q "$name"
                if [[ $name == "$word"* ]]; then COMPREPLY+=("$name"); fi
              done
            }
            complete -F _sdspool sdspool
            """
    }

    static var zsh: String {
        let commands = Subcommand.all.map { "    '\($0.name):\(quoted($0.summary))'" }
        let cases = Subcommand.all.map { command in
            "    \(command.name)) options=(\(words(command))); operands=\(command.operands) ;;"
        }
        return """
            #compdef sdspool
            # zsh completion for sdspool; see zshcompsys(1)
            local -a commands options names
            local operands dir=${SDSPOOL_DIR:-spool} index
            commands=(
            \(commands.joined(separator: "\n"))
            )
            if (( CURRENT == 2 )); then _describe command commands; return; fi
            for (( index = 3; index < CURRENT; index++ )); do
              [[ $words[index-1] == --spool ]] && dir=$words[index]
            done
            case $words[CURRENT-1] in
              --spool) _files -/; return ;;
              --credentials|--on-*) _files; return ;;
              --log) compadd text json; return ;;
            esac
            case $words[2] in
            \(cases.joined(separator: "\n"))
              *) return ;;
            esac
            if [[ $PREFIX == -* ]]; then compadd -- $options; return; fi
            case $operands in
              files) _files ;;
              jobs) names=("${(@f)$(\(names))}"); compadd -- $names ;;
              results) names=("${(@f)$(\(results))}"); compadd -- $names ;;
              shells) compadd bash zsh fish ;;
            esac
            """
    }

    static var fish: String {
        var lines = [
            "# fish completion for sdspool; see complete(1)",
            "complete -c sdspool -f",
            "function __sdspool_dir",
            "  set -l words (commandline -opc)",
            "  if set -l at (contains -i -- --spool $words); and test (count $words) -gt $at",
            "    echo $words[(math $at + 1)]",
            "  else if set -q SDSPOOL_DIR",
            "    echo $SDSPOOL_DIR",
            "  else",
            "    echo spool",
            "  end",
            "end",
            "function __sdspool_jobs",
            "  set -l dir (__sdspool_dir)",
            "  \(names)",
            "end",
            "function __sdspool_results",
            "  set -l dir (__sdspool_dir)",
            "  \(results)",
            "end",
        ]
        for command in Subcommand.all {
            let on = "-n '__fish_seen_subcommand_from \(command.name)'"
            lines.append(
                "complete -c sdspool -n __fish_use_subcommand -a \(command.name) -d '\(quoted(command.summary))'")
            for option in command.options.sorted() {
                let value = option == "--spool" ? "-x -a '(__fish_complete_directories)'" : "-r"
                lines.append("complete -c sdspool \(on) -l \(option.dropFirst(2)) \(value)")
            }
            for flag in command.flags.sorted() { lines.append("complete -c sdspool \(on) -l \(flag.dropFirst(2))") }
            switch command.operands {
            case .none: break
            case .files: lines.append("complete -c sdspool \(on) -F")
            case .jobs: lines.append("complete -c sdspool \(on) -a '(__sdspool_jobs)'")
            case .results: lines.append("complete -c sdspool \(on) -a '(__sdspool_results)'")
            case .shells: lines.append("complete -c sdspool \(on) -a 'bash zsh fish'")
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Inside single quotes of a shell.
    private static func quoted(_ text: String) -> String { text.replacingOccurrences(of: "'", with: "'\\''") }
}
