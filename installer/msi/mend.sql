-- Statements for `msibuild -q`, one a line; @NUMBER@ is the version. See build.sh.
-- Names need their short form, and the program the version that is in its resources.
UPDATE `Directory` SET `DefaultDir` = 'GANTRY~1|Gantry Agent' WHERE `Directory` = 'INSTALLFOLDER'
UPDATE `File` SET `FileName` = 'GANTRY~1.EXE|gantry-agent.exe', `Version` = '@NUMBER@.0', `Language` = '1033' WHERE `File` = 'Program'
-- wixl ends keys with a backslash, and knows no value that is expanded.
UPDATE `Registry` SET `Key` = 'SOFTWARE\Gantry\Agent' WHERE `Name` = 'Package'
UPDATE `Registry` SET `Key` = 'SYSTEM\CurrentControlSet\Services\EventLog\Application\GantryAgent' WHERE `Name` <> 'Package'
UPDATE `Registry` SET `Value` = '#%%SystemRoot%\System32\EventCreate.exe' WHERE `Name` = 'EventMessageFile'
-- Properties that a person gives reach the part with the rights only if they are listed.
UPDATE `Property` SET `Value` = 'RELAY;TOKEN_FILE;PROXY;STRICT;PURGE;WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED' WHERE `Property` = 'SecureCustomProperties'
-- A build of the same version takes the other's place; the former product goes within the transaction, and comes back if the new one fails.
DELETE FROM `Upgrade` WHERE `ActionProperty` = 'WIX_UPGRADE_DETECTED'
INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMax`, `Attributes`, `ActionProperty`) VALUES ('{6F1B9A5C-0B1E-4B57-9E0C-3D7A4C6B52E1}', '@NUMBER@', 513, 'WIX_UPGRADE_DETECTED')
UPDATE `InstallExecuteSequence` SET `Sequence` = 1525 WHERE `Action` = 'RemoveExistingProducts'
INSERT INTO `LaunchCondition` (`Condition`, `Description`) VALUES ('Installed OR VersionNT64 >= 603', 'Gantry Agent needs Windows 10, Windows Server 2016, or later.')
-- The program itself does what tables cannot: 3090 is a program of the package, run later, as the system; 64 forgives its failure.
-- MSI itself waits 30 s for a stop, which calls under way may take as well: the program waits longer.
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Stop', 3154, 'Program', 'stop')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Complete', 3090, 'Program', 'package complete "--relay=[RELAY]" "--proxy=[PROXY]" "--token-file=[TOKEN_FILE]"')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Connected', 3090, 'Program', 'package connected')
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Purge', 3154, 'Program', 'package purge')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Stop', 'REMOVE="ALL"', 1890)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Complete', 'NOT REMOVE', 5850)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Connected', 'NOT REMOVE AND STRICT="1"', 5950)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Purge', 'REMOVE="ALL" AND PURGE="1" AND NOT UPGRADINGPRODUCTCODE', 3450)
