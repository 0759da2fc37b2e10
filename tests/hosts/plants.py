# SPDX-License-Identifier: Apache-2.0
"""Facts and traps to plant into a root, and a root made by hand with something for each table to read."""
import os
import subprocess
import tempfile

import prepared as p
import rpm_root

SECURITY = "security.example_debian-security_dists_bookworm-security"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFHfY5BsrY/SIsRlZNMphCPUUtxRwAH/GCirUQED76DD ann@laptop"


def plant_accounts(image):
    image.append("/etc/passwd", "ann:x:1000:1000:Ann:/home/ann:/bin/bash\nbob smith\udcff:x:1001:1001::/home/bob smith:/bin/bash\n")
    # After two hundred others, and where NSS asks others first.
    image.append("/etc/passwd", "".join(f"u{n}:x:{n}:1000::/nonexistent:/usr/sbin/nologin\n" for n in range(3000, 3200)))
    image.append("/etc/passwd", "toor:x:0:0::/root:/bin/bash\n")
    image.append("/etc/group", "ann:x:1000:\nbobs:x:1001:\nops:x:1002:ann\n")
    image.append("/etc/shadow", "ann:$y$j9T$planted-salt$planted-hash:19700:0:99999:7:::\ntoor::19700:0:99999:7:::\n")
    image.file("/etc/nsswitch.conf", "passwd: systemd sss files\ngroup: systemd sss files\n")
    os.makedirs(image.at("/home/ann/.ssh"), 0o700, exist_ok=True)
    image.file("/etc/ssh/keys/ann", KEY + "\n")


def plant_access(image):
    image.file("/etc/ssh/sshd_config.d/10-site.conf", "PermitRootLogin yes\nAuthorizedKeysFile /etc/ssh/keys/%u .ssh/authorized_keys\n")
    image.append("/etc/ssh/sshd_config", "PermitRootLogin no\nMatch Address 10.0.0.0/8\n  PermitRootLogin without-password\n")
    image.file("/etc/sudoers.d/ops", "User_Alias OPERATORS = %ops\nCmnd_Alias SHELLS = /bin/sh, \\\n  /bin/bash\n"
               "OPERATORS ALL = (root) NOPASSWD: SHELLS\n", 0o440)
    image.file("/etc/sudoers.d/ignored.dpkg-old", "ALL ALL = NOPASSWD: ALL\n", 0o440)


def plant_system(image):
    image.file("/etc/sysctl.d/10-a.conf", "net.ipv4.ip_forward = 1\nkernel.dmesg_restrict=0\n")
    image.file("/usr/lib/sysctl.d/50-b.conf", "net.ipv4.ip_forward = 2\n")
    image.file("/etc/sysctl.conf", "net/ipv4/ip_forward=0\n").link("/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")  # As procps has it.
    image.file("/usr/lib/systemd/system/shadowed.service", "[Service]\nExecStart=/bin/true\n")
    image.link("/etc/systemd/system/shadowed.service", "/dev/null")
    image.file("/etc/systemd/system/shadowed.service.d/10-more.conf", "[Service]\nUser=ann\n")
    image.file("/opt/tools/raise me\n\udcff".encode("utf-8", "surrogateescape"), "x", 0o4755)
    image.file("/srv/escape/deep", "x", 0o4755)


REPODATA = "/var/cache/dnf/base-0123456789abcdef/repodata/"
FILES = {
    "/etc/os-release": "ID=debian\nNAME=Debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\nVERSION=12\n",
    "/etc/login.defs": "UID_MIN 1000\nPASS_MAX_DAYS 90\nUMASK 027\nENCRYPT_METHOD YESCRYPT\n",
    "/etc/default/useradd": "INACTIVE=30\n", "/etc/profile": "umask 027\n", "/etc/profile.d/tmout.sh": "readonly TMOUT=900\n",
    "/etc/bash.bashrc": "umask 027\n", "/etc/security/access.conf": "-:ALL:ALL\n",
    "/etc/security/pwquality.conf": "minlen = 12\n", "/etc/security/faillock.conf": "deny = 5\n",
    "/etc/pam.d/common-auth": "auth required pam_faillock.so preauth\nauth required pam_unix.so\n",
    "/etc/pam.d/sshd": "@include common-auth\npassword requisite pam_pwquality.so retry=3\n",
    "/etc/pam.d/su": "auth required pam_wheel.so\n@include common-auth\n",
    "/etc/polkit-1/rules.d/49-admin.rules": "return polkit.Result.YES; // org.example.do\n",
    "/etc/modprobe.d/deny.conf": "blacklist usb-storage\ninstall usb-storage /bin/false\n", "/etc/modules": "loop\n",
    "/etc/crontab": "SHELL=/bin/sh\n0 3 * * * root restic -r /srv/restic --password-file /etc/restic.pw backup /etc\n",
    "/etc/cron.d/site": "5 4 * * 1 ann /opt/report --token=hidden\n", "/var/spool/cron/crontabs/ann": "1 1 * * * true\n",
    "/etc/anacrontab": "1 5 cron.daily run-parts /etc/cron.daily\n", "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
    "/etc/audit/rules.d/a.rules": "-w /etc/passwd -p wa -k id\n", "/etc/audit/auditd.conf": "max_log_file_action = keep_logs\n",
    "/etc/systemd/journald.conf": "[Journal]\nStorage=persistent\n", "/etc/rsyslog.conf": "*.* @@log.example:6514\n",
    "/etc/logrotate.conf": "weekly\nrotate 8\n/var/log/x {\n}\n", "/etc/logrotate.d/y": "/var/log/y {\n daily\n rotate 3\n}\n",
    "/etc/nftables.conf": "table inet filter {\n chain input { type filter hook input priority 0; policy drop; }\n}\n",
    "/etc/ufw/ufw.conf": "ENABLED=yes\n", "/etc/default/ufw": 'DEFAULT_INPUT_POLICY="DROP"\n', "/boot/grub/grub.cfg": "menuentry x {\n}\n",
    "/etc/chrony/chrony.conf": "pool time.example iburst nts\n", "/etc/systemd/timesyncd.conf": "[Time]\nNTP=a.example\n",
    "/etc/selinux/config": "SELINUX=enforcing\n", "/etc/systemd/system/backup.service": "[Service]\nExecStart=/usr/bin/borg create /srv/borg::x /etc\n",
    "/etc/systemd/system/backup.timer": "[Timer]\nOnCalendar=daily\nPersistent=yes\n[Install]\nWantedBy=timers.target\n",
    "/etc/rsnapshot.conf": "snapshot_root\t/srv/rsnapshot/\nretain\tdaily\t7\nbackup\t/etc/\tlocal/\n",
    "/etc/apt/sources.list": "deb http://deb.example/debian bookworm main\n", "/etc/apt/apt.conf.d/20auto": 'APT::Periodic::Unattended-Upgrade "1";\n',
    "/etc/apt/preferences": "Package: *\nPin: release n=trixie\nPin-Priority: 100\n",
    "/var/log/dpkg.log": "2026-11-20 10:00:00 install bash:amd64 <none> 5.2\n", "/var/log/apt/history.log": "\nStart-Date: 2026-11-20  10:00:00\nEnd-Date: 2026-11-20  10:00:01\n",
    "/var/log/unattended-upgrades/unattended-upgrades.log": "2026-11-20 10:00:00,000 INFO Starting unattended upgrades script\n",
    "/var/lib/dpkg/status": "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\nMaintainer: x\n\n",
    "/var/lib/apt/extended_states": "Package: bash\nArchitecture: amd64\nAuto-Installed: 1\n",
    "/var/lib/dpkg/info/bash.md5sums": "d41d8cd98f00b204e9800998ecf8427e  bin/bash\n", "/bin/bash": "",
    "/var/lib/apt/lists/deb.example_debian_dists_bookworm_main_binary-amd64_Packages": "Package: bash\nArchitecture: amd64\nVersion: 5.3\nFilename: x\nSize: 1\n\n",
    "/var/lib/apt/lists/deb.example_debian_dists_bookworm_Release": "Origin: Debian\nSuite: oldstable\nCodename: bookworm\nDate: Mon, 01 Jun 2026 00:00:00 UTC\n",
    "/usr/lib/systemd/system/sshd.service": "[Service]\nExecStart=/usr/sbin/sshd\n[Install]\nWantedBy=multi-user.target\n",
    "/etc/dnf/dnf.conf": "[main]\ngpgcheck=1\nexcludepkgs=beta\n", "/etc/dnf/automatic.conf": "[commands]\napply_updates = yes\n",
    "/etc/yum.repos.d/base.repo": "[base]\nname=Base\nbaseurl=https://rpm.example/\n",
    "/etc/dnf/plugins/versionlock.conf": "[main]\nenabled = 1\n", "/etc/dnf/plugins/versionlock.list": "gamma-0:1-1.*\n",
    REPODATA + "repomd.xml": '<repomd><data type="primary"><location href="repodata/primary.xml"/></data><data type="updateinfo">'
                             '<location href="repodata/updateinfo.xml"/></data></repomd>',
    REPODATA + "primary.xml": '<metadata><package><name>alpha</name><arch>noarch</arch><version epoch="0" ver="1.1" rel="1"/></package></metadata>',
    REPODATA + "updateinfo.xml": '<updates><update type="security"><id>EX-1</id><pkglist><collection><package name="alpha" version="1.1" '
                                 'release="1" epoch="0" arch="noarch"/></collection></pkglist></update></updates>',
    "/var/log/wtmp": "", "/var/log/btmp": "", "/var/log/lastlog": "", "/run/reboot-required": "",
}


def make_certificate(image):
    """One of a site's own, where they are looked for."""
    with tempfile.TemporaryDirectory() as scratch:
        key, certificate = os.path.join(scratch, "key"), os.path.join(scratch, "crt")
        done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                               "-out", certificate, "-subj", "/CN=host.example", "-days", "30"], capture_output=True)
        if done.returncode == 0:
            with open(certificate, encoding="ascii") as file:
                image.file("/etc/ssl/certs/host.pem", file.read())


def plant_rpm_database(image):
    """Beside dpkg's: no such host is there, but each collector then has something to read."""
    try:
        rpm_root.require("rpm", "rpmbuild")
    except p.Skip:
        return
    builder = rpm_root.Builder(image.dir)
    builder.install(image.path, builder.package("alpha", "1.0"))


def whole_host():
    """Nothing of a distribution's: quick to make, and each table has a row."""
    image = p.Image()
    for path, content in FILES.items():
        image.file(path, content)
    image.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n")
    image.file("/etc/group", "root:x:0:\nsudo:x:27:ann\n").file("/etc/shadow", "root:*:1:0:99999:7:::\n", 0o640)
    image.file("/etc/sudoers", "Defaults use_pty\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440)
    image.file("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n")
    image.file("/home/ann/.ssh/authorized_keys", KEY + "\n", 0o600, 1000, 1000).file("/etc/shells", "/bin/bash\n/bin/sh\n")
    image.file("/etc/restic.pw", "secret", 0o600).file("/srv/rsnapshot/daily.0/local/x", "")
    for plant in (plant_accounts, plant_access, plant_system, make_certificate, plant_rpm_database):
        plant(image)
    return image
