# Makes the service's configuration file of what `tracker --print-config` prints: every key with its documentation, and
# all that is a default commented out, so that a later version's defaults come in force with it.
BEGIN {
    print "// The settings of the tracker that systemd runs. What is commented out is in force as it stands."
    print "//"
    print "//     tracker --config /etc/tracker/tracker.ron --check-config"
    print "//     systemctl reload tracker    # puts access, stats and log.level in force; restart for the others"
}
/^        [a-z]/ && !/^        dir: / { sub(/^        /, "        // ") }
{ print }
