#!/usr/bin/env ruby
# frozen_string_literal: true

# Drops a prompt into an sdspool folder, waits, and prints the paths of the pictures.
#   drop.rb SPOOL PROMPT
require "json"
require "pathname"
require "securerandom"

unless ARGV.size == 2
  warn "usage: drop.rb SPOOL PROMPT"
  exit 64
end
spool = Pathname(ARGV[0])
prompt = String.new(ARGV[1], encoding: Encoding::UTF_8).scrub # whatever the locale

# A hidden name until the file is whole, then one rename.
name = "hello-#{Process.pid}-#{SecureRandom.hex(4)}"
hidden = spool / "inbox" / ".#{name}.json.tmp"
hidden.write(JSON.generate(prompt: prompt, steps: 20, width: 512, height: 512))
hidden.rename(spool / "inbox" / "#{name}.json")

# A folder of results appears in one rename too: once seen, it is complete.
done = spool / "done" / name
failed = spool / "failed" / name
sleep 0.2 until done.directory? || failed.directory?

abort JSON.parse((failed / "error.json").read(encoding: "UTF-8"))["message"] if failed.directory?
pictures = done.children.select { |file| %w[.png .jpg .webp].include?(file.extname) }
pictures.sort.each { |file| puts file }
